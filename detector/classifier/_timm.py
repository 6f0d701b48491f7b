"""timm, which imports torchvision."""

from assets.operators import declare

declare()

import timm  # noqa: E402

__all__ = ["timm"]
