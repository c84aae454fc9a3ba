"""Errors of freezing. Each message says what was wrong, what was expected, and what to do next."""


class FreezeError(ValueError):
    """Base of every error raised by `tlwidgets.core`."""


class NoParametersError(FreezeError):
    """The model has no parameters, or their sizes are not known yet."""


class UnknownGroupError(FreezeError):
    """An id names no group, module or parameter of the tree."""


class NothingTrainableError(FreezeError):
    """A plan would train nothing, or a group that cannot be trained was to be thawed."""


class StructureChangedError(FreezeError):
    """The model is not the one the tree was made of."""


class OptimizerError(FreezeError):
    """The optimizer cannot train what the plan thaws."""
