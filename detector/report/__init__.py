"""A verdict as one page that opens anywhere.

path.write_text(render(examination, tools.classifier))
"""

from detector.report.page import render

__all__ = ["render"]
