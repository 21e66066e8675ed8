"""The house style of all figures, and the few drawings that several chapters share.

Colours are chosen for contrast of at least 3 to 1 on white paper and told apart by colour-blind
readers (after Okabe and Ito). In the built book each of them becomes a CSS variable, so that one
drawing serves the light and the dark theme.

.. rubric:: References

Okabe and Ito, "Color universal design", 2008, https://jfly.uni-koeln.de/color/
"""

import io
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

__all__ = ["COLORS", "decision_boundary", "image_row", "label_panels", "svg", "use_style"]

#: Named colours of the light theme; the book's style sheet holds their dark twins.
COLORS = {
    "ink": "#1f2328",
    "paper": "#fffffe",
    "muted": "#57606b",
    "grid": "#d0d7dd",
    "blue": "#0067a6",
    "orange": "#c8500b",
    "green": "#007a58",
    "pink": "#a8437e",
    "gold": "#8f6400",
    "violet": "#5b4fc4",
}
CYCLE = ["blue", "orange", "green", "pink", "gold", "violet"]

# A figure beyond this size slows the page down: draw fewer points, or pass rasterized=True.
LARGEST_SVG = 400_000


def use_style():
    """Set matplotlib's defaults to the house style."""
    ink, muted, grid, paper = (COLORS[name] for name in ("ink", "muted", "grid", "paper"))
    mpl.rcParams.update(
        {
            "figure.figsize": (5.6, 3.4),
            "figure.facecolor": "none",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "none",
            "savefig.dpi": 130,
            "axes.facecolor": "none",
            "axes.edgecolor": muted,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.prop_cycle": mpl.cycler(color=[COLORS[name] for name in CYCLE]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": grid,
            "grid.linewidth": 0.7,
            "lines.linewidth": 1.8,
            "patch.edgecolor": paper,
            "scatter.edgecolors": paper,
            "text.color": ink,
            "xtick.color": muted,
            "ytick.color": muted,
            "xtick.labelcolor": ink,
            "ytick.labelcolor": ink,
            "legend.frameon": False,
            "font.size": 10.5,
            "image.cmap": "cividis",
            "svg.fonttype": "path",
            "svg.hashsalt": "dlcourse",
        }
    )


def svg(figure, prefix):
    """Draw a figure as SVG whose colours follow the theme of the page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    prefix : str
        Put before each id in the drawing, since a page holds several.

    Returns
    -------
    str
        An ``<svg>`` element. Each house colour is ``var(--dl-NAME, #hex)``: where no style sheet
        defines the variable, the light theme's colour is used.

    Raises
    ------
    ValueError
        If the drawing is larger than 400 kB.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    # A hundredth of a point is finer than any screen, and halves the size.
    text = re.sub(r'\b(?:d|x|y)="[^"]*"', lambda match: re.sub(r"(\.\d\d)\d+", r"\1", match[0]), text)
    for name, value in COLORS.items():
        text = text.replace(value, f"var(--dl-{name}, {value})")
    # A style element inside a page is the whole page's: set what it says on the drawing instead.
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    if len(text) > LARGEST_SVG:
        raise ValueError(
            f"figure: expected a drawing of at most {LARGEST_SVG // 1000} kB, got {len(text) // 1000} kB; "
            "draw fewer points, or pass rasterized=True for the crowded layer"
        )
    return text


def label_panels(axes):
    """Letter the panels of a figure (a), (b), ... so that the caption can speak of them.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
    """
    for letter, ax in zip("abcdefghijkl", np.ravel(axes), strict=False):
        title = ax.get_title(loc="left")
        ax.set_title(f"({letter}) {title}".rstrip(), loc="left")


def decision_boundary(ax, predict, x, y, *, names=None, resolution=150, margin=0.15):
    """Colour the plane by predicted class and draw the examples over it.

    Classes differ by marker as well as by colour.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    predict : callable
        Maps points (M, 2) to integer classes (M,).
    x : ndarray of shape (N, 2)
    y : ndarray of int, shape (N,)
        Classes 0 .. K - 1, K at most 6.
    names : sequence of str, optional
        Class names for the legend.
    resolution : int
        Grid points along each axis.
    margin : float
        Free space around the examples, as a fraction of their range.
    """
    low, high = x.min(axis=0), x.max(axis=0)
    pad = margin * (high - low)
    xs, ys = (np.linspace(low[i] - pad[i], high[i] + pad[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)      # (R, R, 2) -> (R * R, 2)
    classes = np.asarray(predict(grid.astype(x.dtype))).reshape(resolution, resolution)
    colors = [COLORS[name] for name in CYCLE]
    for k in range(int(max(classes.max(), y.max())) + 1):
        area = np.ma.masked_where(classes != k, classes)
        ax.imshow(
            area, extent=(xs[0], xs[-1], ys[0], ys[-1]), origin="lower", aspect="auto", interpolation="nearest",
            cmap=mpl.colors.ListedColormap([colors[k]]), alpha=0.28,
        )
        ax.scatter(
            *x[y == k].T, s=18, color=colors[k], marker="osD^vP"[k], linewidths=0.4,
            label=names[k] if names else f"class {k}",
        )
    ax.set_xlim(xs[0], xs[-1])
    ax.set_ylim(ys[0], ys[-1])
    ax.grid(False)


def image_row(axes, images, titles=None, *, cmap="gray_r", **options):
    """Show small images side by side, without axes.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
    images : ndarray of shape (K, H, W)
    titles : sequence of str, optional
    cmap : str
    **options
        Passed to ``imshow``.
    """
    for i, (ax, image) in enumerate(zip(np.ravel(axes), images, strict=False)):
        ax.imshow(image, cmap=cmap, interpolation="nearest", **options)
        ax.set_axis_off()
        if titles is not None:
            ax.set_title(titles[i], fontsize=9, loc="center")


def close(figure):
    """Forget a figure, so that the inline backend does not draw it a second time."""
    plt.close(figure)
