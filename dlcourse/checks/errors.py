"""What checks raise, and an error of a learner's code told in words."""

import linecache

__all__ = ["LONGEST", "CheckFailed", "StudentError", "frames", "raised", "shortened"]

LONGEST = 1_000            # characters of a text that comes from an answer


class CheckFailed(AssertionError):
    """An answer is not as expected.

    Parameters
    ----------
    message : str
        What was compared, what was expected and what came.
    hint : str, optional
        The typical mistake behind it, where it was recognized.
    """

    def __init__(self, message, hint=None):
        super().__init__(message)
        self.message, self.hint = message, hint


class StudentError(Exception):
    """An error inside a learner's code, told in words: what a proxy of the grader raises.

    Parameters
    ----------
    message : str
    kinds : tuple of str
        Names of the error's class and of the classes it derives from, such as
        ``("ZeroDivisionError", "ArithmeticError")``.
    text : str, optional
        What the error itself says. Default: the message.
    """

    def __init__(self, message, kinds=(), text=None):
        super().__init__(message)
        self.message, self.kinds, self.text = message, kinds, message if text is None else text


def shortened(text, longest=LONGEST):
    """Cut a text that would fill a page."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text)} characters)"


def frames(error):
    """Yield the frames and line numbers through which an error came, the innermost last."""
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame, step.tb_lineno
        step = step.tb_next


def raised(error, frame=None, line=0):
    """Tell which error a learner's code raised, and on which line of it.

    Parameters
    ----------
    error : BaseException
    frame : frame, optional
        The innermost one of the learner's own code.
    line : int
        Where in it.

    Returns
    -------
    str
    """
    kind, text = type(error).__name__, shortened(str(error))
    told = "your code raised " + (f"{kind}: {text}" if text else kind)
    if frame is None:
        return told
    code = frame.f_code
    source = shortened(linecache.getline(code.co_filename, line).strip())
    name = code.co_filename.strip("<>") if code.co_name == "<module>" else code.co_name
    return f"{told}\n  in line {line} of {name}" + (f", `{source}`" if source else "")
