"""What a live page asks of the Python in the reader's browser: run a cell, find what it needs, move a widget.

One namespace serves all cells of a page. The functions take and return plain values, so the worker of
a page calls them, and so do the tests. Page: nothing here knows of a browser.
"""

import ast
import builtins
import linecache
import sys
import traceback

from .checks import Report
from .validation import check_integer
from .widgets.host import evaluate

__all__ = ["Page"]

# What many have installed and the browser has not; a learner is told what to do instead.
ELSEWHERE = {"torch", "matplotlib", "IPython", "sklearn", "scipy", "pandas", "mlxtend", "tqdm", "ipywidgets"}


EIO_IN_WASM = 29           # what input() raises in a worker, which has no keyboard


def leave(*arguments):
    """End a cell, as ``exit()`` ends a program; the one from `site` would close the page's standard input."""
    raise SystemExit(*arguments)


class Names(ast.NodeVisitor):
    """Collect the global names that a cell needs from others and those that it makes.

    Attributes
    ----------
    needs : set of str
        Read before the cell itself has assigned them.
    makes : set of str
        Assigned, imported or defined at the top level.
    """

    def __init__(self, code):
        self.needs, self.makes = set(), set()
        self.local = []                        # the names of each function around the current place
        self.visit(ast.parse(code))

    def store(self, name):
        (self.local[-1] if self.local else self.makes).add(name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.store(node.id)
        elif node.id not in self.makes and not any(node.id in names for names in self.local):
            self.needs.add(node.id)

    def visit_Assign(self, node):
        self.visit(node.value)                 # evaluated before the names on the left exist
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if isinstance(node.target, ast.Name) and not self.local:
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
        self.visit(node.target)

    def visit_For(self, node):
        self.visit(node.iter)
        self.visit(node.target)
        for child in [*node.body, *node.orelse]:
            self.visit(child)

    def visit_Import(self, node):
        for alias in node.names:
            self.store(alias.asname or alias.name.split(".")[0])

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node):
        if node.name:
            self.store(node.name)
        self.generic_visit(node)

    def scope(self, node, arguments, body):
        """Visit a function, whose own names are not the page's."""
        for child in [*arguments.defaults, *filter(None, arguments.kw_defaults), *getattr(node, "decorator_list", [])]:
            self.visit(child)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        names = {argument.arg for argument in every if argument is not None}
        for child in body:                     # assigned anywhere in a function is local everywhere in it
            names |= {part.id for part in ast.walk(child)
                      if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        self.local.append(names)
        for child in body:
            self.visit(child)
        self.local.pop()

    def visit_FunctionDef(self, node):
        self.store(node.name)
        self.scope(node, node.args, node.body)

    def visit_Lambda(self, node):
        self.scope(node, node.args, [node.body])

    def visit_ClassDef(self, node):
        self.store(node.name)
        for child in [*node.bases, *node.keywords, *node.decorator_list]:
            self.visit(child)
        self.local.append(set())
        for child in node.body:
            self.visit(child)
        self.local.pop()

    def comprehension(self, node, *results):
        self.local.append({part.id for generator in node.generators for part in ast.walk(generator.target)
                           if isinstance(part, ast.Name)})
        for generator in node.generators:
            for child in [generator.iter, *generator.ifs]:
                self.visit(child)
        for child in results:
            self.visit(child)
        self.local.pop()

    def visit_ListComp(self, node):
        self.comprehension(node, node.elt)

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node):
        self.comprehension(node, node.key, node.value)


def trimmed(error, cells):
    """Format an error with only those frames that lie in the reader's cells.

    Parameters
    ----------
    error : BaseException
    cells : collection of str
        The file names of the cells.

    Returns
    -------
    str
    """
    report = traceback.TracebackException.from_exception(error)
    todo = [report]
    while todo:
        part = todo.pop()
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if frame.filename in cells])
        todo += [chained for chained in (part.__cause__, part.__context__) if chained is not None]
    return "".join(report.format())


def advice(error):
    """Say what to do about an error that has to do with where the code runs.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        Empty for every other error.
    """
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in ELSEWHERE:
        return (f"The Python in this page has NumPy and the references of dlcourse, not {error.name}. "
                "Open the chapter in JupyterLab to use it.")
    if isinstance(error, OSError) and error.errno == EIO_IN_WASM:
        return "A cell of a page cannot ask for input. Write the value into the code."
    if isinstance(error, MemoryError):
        return "A page has about 2 GB. Press Stop to free all of it, then try a smaller case."
    return ""


def defined(tree, error, name):
    """Whether a cell that failed had defined all its functions before, so that they can be tried.

    Parameters
    ----------
    tree : ast.Module or None
        Of the cell; None if it could not be read.
    error : BaseException
    name : str
        The file name of the cell.

    Returns
    -------
    bool
        False too if the cell has no functions.
    """
    ends = [node.end_lineno for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)] if tree else []
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__)
             if (frame.f_code.co_filename, frame.f_code.co_name) == (name, "<module>")]
    return bool(ends and lines) and lines[0] > max(ends)


class Page:
    """The cells and widgets of one page.

    Attributes
    ----------
    namespace : dict
        What the cells have defined.
    """

    def __init__(self):
        self.namespace = {"__name__": "__main__", "exit": leave, "quit": leave}
        self.cells = set()
        self.states = {}

    def run(self, code, number=0):
        """Run a cell and echo the value of its last line, as a notebook does.

        Parameters
        ----------
        code : str
        number : int, default 0
            Which cell of the page it is; shown in tracebacks.

        Returns
        -------
        dict
            ``ok`` (bool) and ``text`` (the echo, or ""), or ``error`` (the traceback), ``advice``, and
            ``defined``: whether all functions of the cell had been defined before the error.
            A report of checks comes as plain data in ``report`` instead of as text.
        """
        name = f"<cell {number}>"
        self.cells.add(name)
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = None
        try:
            tree = ast.parse(code, name)
            last = None
            if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
                last = ast.Expression(tree.body.pop().value)
            exec(compile(tree, name, "exec"), self.namespace)
            value = None if last is None else eval(compile(last, name, "eval"), self.namespace)
            if type(value) is Report:
                return {"ok": True, "text": "", "report": value.as_dict()}
            return {"ok": True, "text": "" if value is None else repr(value)}
        except BaseException as error:         # SystemExit too: a reader's exit() must not end the page
            return {"ok": False, "error": trimmed(error, self.cells), "advice": advice(error),
                    "defined": defined(tree, error, name)}
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    def needed(self, codes, index):
        """Find the cells above that must run first because they make names that this one needs.

        Parameters
        ----------
        codes : sequence of str
            All live cells of the page, in order.
        index : int
            The one to be run.

        Returns
        -------
        list of int
            Indices of cells above, in order. Names that exist already are not made again.
        """
        check_integer(index, "index", low=0, high=len(codes) - 1)
        known = self.namespace.keys() | set(dir(builtins))
        try:
            wanted = Names(codes[index]).needs - known
        except SyntaxError:
            return []                          # running it will say so better
        found = []
        for above in range(index - 1, -1, -1):
            try:
                names = Names(codes[above])
            except SyntaxError:
                continue
            if names.makes & wanted:
                found.append(above)
                wanted = (wanted - names.makes) | (names.needs - known)
        return found[::-1]

    def widget(self, name, key, inputs):
        """Compute what a widget shows.

        Parameters
        ----------
        name : str
            One of `dlcourse.widgets.NAMES`.
        key : str
            Tells two widgets of the same name on one page apart.
        inputs : dict
            A value for each control.

        Returns
        -------
        dict
            ``outputs``, or ``error`` (str) if an input is refused.
        """
        try:
            outputs, self.states[key] = evaluate(name, inputs, self.states.get(key))
        except (TypeError, ValueError) as error:
            return {"error": str(error)}
        return {"outputs": outputs}
