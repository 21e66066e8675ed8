"""Backpropagation on a small graph: every value, every message, every product, one node at a time.

A node that computed y is told the derivative of the result with respect to y. It multiplies this by
its local derivatives and passes the products to its operands. Where a value was used twice, the
messages are added. A difference quotient, which knows none of this, checks the outcome.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..autodiff import tensor, topological_order
from .controls import Choice, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Backpropagation on a graph"
ABOUT = (
    "Walk the values forward through the graph, then the derivatives back: each node multiplies what it is told by its "
    "local derivative and passes the product on. Then move the leaves: where does a derivative become zero?"
)


@dataclass(frozen=True)
class Node:
    """How a node is written: what it computes, and its derivative with respect to each operand.

    Parameters
    ----------
    sign : str
        What stands in the node.
    formula : str
        In braces the names of the values it uses.
    local : dict of str
        For each operand the local derivative, likewise.
    """

    sign: str
    formula: str
    local: dict


@dataclass(frozen=True)
class Graph:
    """A computation: where its leaves begin, and the function that computes its nodes.

    Parameters
    ----------
    label : str
    leaves : dict of float
        Those that get a derivative.
    constants : tuple of str
        Further arguments, which get none.
    run : callable
        From leaves and constants to a dict of tensors: the nodes by name, the result last.
    nodes : dict of Node
    """

    label: str
    leaves: dict
    constants: tuple
    run: Callable
    nodes: dict


def product(x, y, z):
    """Compute f = (x + y) z."""
    q = x + y
    return {"q": q, "f": q * z}


def penalty(w, x):
    """Compute L = (w x - 5)² + w² / 2: a squared error, and a penalty on the weight."""
    p = w * x
    d = p - 5.0
    s = w**2
    squared, half = d**2, 0.5 * s
    return {"p": p, "d": d, "e": squared, "s": s, "h": half, "L": squared + half}


def neuron(w, x, b, T):
    """Compute E = (T - σ(w x + b))² / 2: the error of one sigmoid unit."""
    p = w * x
    n = p + b
    a = n.sigmoid()
    d = T - a
    e = d**2
    return {"p": p, "n": n, "a": a, "d": d, "e": e, "E": 0.5 * e}


GRAPHS = {
    "product": Graph("f = (x + y) z", {"x": -2.0, "y": 5.0, "z": -4.0}, (), product, {
        "q": Node("+", "{x} + {y}", {"x": "1", "y": "1"}),
        "f": Node("×", "{q} × {z}", {"q": "{z}", "z": "{q}"}),
    }),
    "penalty": Graph("L = (wx − 5)² + ½w²", {"w": 2.0, "x": 3.0}, (), penalty, {
        "p": Node("×", "{w} × {x}", {"w": "{x}", "x": "{w}"}),
        "d": Node("− 5", "{p} − 5", {"p": "1"}),
        "e": Node("( )²", "{d}²", {"d": "2 × {d}"}),
        "s": Node("( )²", "{w}²", {"w": "2 × {w}"}),
        "h": Node("× ½", "½ × {s}", {"s": "½"}),
        "L": Node("+", "{e} + {h}", {"e": "1", "h": "1"}),
    }),
    "neuron": Graph("E = ½(T − σ(wx + b))²", {"w": 2.0, "x": 1.0, "b": -1.0}, ("T",), neuron, {
        "p": Node("×", "{w} × {x}", {"w": "{x}", "x": "{w}"}),
        "n": Node("+", "{p} + {b}", {"p": "1", "b": "1"}),
        "a": Node("σ", "σ({n})", {"n": "{a} × (1 − {a})"}),
        "d": Node("T − ( )", "{T} − {a}", {"a": "−1"}),
        "e": Node("( )²", "{d}²", {"d": "2 × {d}"}),
        "E": Node("× ½", "½ × {e}", {"e": "½"}),
    }),
}

CONTROLS = (
    Choice("graph", "Graph", tuple((name, graph.label) for name, graph in GRAPHS.items()), "penalty"),
    Slider("w", "w", -5.0, 5.0, 0.1, 2.0),
    Slider("x", "x", -5.0, 5.0, 0.1, 3.0),
    Slider("y", "y", -5.0, 5.0, 0.1, 5.0),
    Slider("z", "z", -5.0, 5.0, 0.1, -4.0),
    Slider("b", "b", -5.0, 5.0, 0.1, -1.0),
    Slider("T", "target T", 0.0, 1.0, 0.05, 0.0),
    Choice("leaf", "Leaf to nudge", tuple((name, name) for name in "wxyzb"), "w"),
    Slider("nudge", "Nudge ε", 1e-8, 1.0, 0.5, 0.1, scale="log"),
)

REACH = 1.25                                          # how far around the leaf its curve is drawn


def forward_backward(graph, values):
    """Run a graph forward and backward with the course's autodiff, and note every step.

    Parameters
    ----------
    graph : Graph
    values : dict of float
        Leaves and constants.

    Returns
    -------
    nodes : list of dict
        The leaves, then each node after its operands: ``name``, ``sign``, ``formula`` (both empty
        for a leaf), ``value`` and ``grad``.
    messages : list of dict
        In the order of the backward pass: the node ``source``, its operand ``target``, the local
        derivative as ``rule`` and as number ``local``, ``upstream``, ``message``, their product,
        and ``total``, what the operand has been sent so far.
    """
    leaves = {name: tensor(values[name], requires_grad=True) for name in graph.leaves}
    results = graph.run(**leaves, **{name: values[name] for name in graph.constants})
    tensors = leaves | results
    names = {id(node): name for name, node in tensors.items()}
    order = topological_order(tensors[list(results)[-1]])
    for node in order:
        node.retain_grad()
    order[-1].backward()
    leaf = Node("", "", {})
    nodes = [{"name": name, "sign": graph.nodes.get(name, leaf).sign, "formula": graph.nodes.get(name, leaf).formula,
              "value": node.item(), "grad": float(node.grad)} for name, node in tensors.items()]
    messages, totals = [], {}
    for node in reversed(order):
        if not node.parents:
            continue
        locals_ = node.local_backward(np.ones_like(node.data))    # told 1, it answers its local derivatives
        sent = node.local_backward(node.grad)
        for parent, local, message in zip(node.parents, locals_, sent, strict=True):
            if not parent.requires_grad:
                continue
            source, target = names[id(node)], names[id(parent)]
            totals[target] = totals.get(target, 0.0) + float(message)
            messages.append({"source": source, "target": target, "rule": graph.nodes[source].local[target],
                             "local": float(local), "upstream": float(node.grad), "message": float(message),
                             "total": totals[target]})
    return nodes, messages


def result_at(graph, values, leaf, places):
    """Compute the result for many values of one leaf, the others held.

    Parameters
    ----------
    graph : Graph
    values : dict of float
    leaf : str
    places : ndarray of float64, shape (N,)

    Returns
    -------
    ndarray of float64, shape (N,)
    """
    inputs = {name: tensor(places if name == leaf else values[name]) for name in graph.leaves}
    results = graph.run(**inputs, **{name: values[name] for name in graph.constants})
    return list(results.values())[-1].data


def compute(graph, leaf, nudge, **values):
    r"""Run one graph forward and backward, and check one derivative by a central difference.

    .. math:: \frac{\partial f}{\partial x} \approx \frac{f(x + \epsilon) - f(x - \epsilon)}{2 \epsilon}

    Parameters
    ----------
    graph : str
        A key of ``GRAPHS``.
    leaf : str
        The leaf to nudge; the graph's first if it has none of that name.
    nudge : float
        The step :math:`\epsilon`.
    **values : float
        All leaves and constants, also those of the other graphs.

    Returns
    -------
    dict
        ``nodes`` and ``messages`` of `forward_backward`; ``leaves`` and ``constants``, names and
        values; ``result``, its name; ``starts``, the leaves that each graph begins with; ``leaf``,
        ``at``, ``gradient``, ``below`` and ``above``, the result at both ends of the nudge;
        ``quotient`` and ``difference``, its distance from the gradient; ``places``, ``curve`` and
        ``tangent``, float64 of shape (61,).
    """
    chosen = GRAPHS[graph]
    leaf = leaf if leaf in chosen.leaves else next(iter(chosen.leaves))
    values = {name: float(value) for name, value in values.items()}
    nodes, messages = forward_backward(chosen, values)
    at, here = values[leaf], nodes[-1]["value"]
    gradient = next(node["grad"] for node in nodes if node["name"] == leaf)
    below, above = result_at(chosen, values, leaf, np.array([at - nudge, at + nudge])).tolist()
    quotient = (above - below) / (2 * nudge)
    places = at + np.linspace(-REACH, REACH, 61)
    return {
        "nodes": nodes,
        "messages": messages,
        "leaves": {name: values[name] for name in chosen.leaves},
        "constants": {name: values[name] for name in chosen.constants},
        "result": nodes[-1]["name"],
        "starts": {name: entry.leaves for name, entry in GRAPHS.items()},
        "leaf": leaf, "at": at, "gradient": gradient, "below": below, "above": above,
        "quotient": quotient, "difference": abs(quotient - gradient),
        "places": places,
        "curve": result_at(chosen, values, leaf, places),
        "tangent": here + gradient * (places - at),
    }
