"""How the classifier's weights are made: ``windows`` (films to evidence), then ``python -m …training``."""
