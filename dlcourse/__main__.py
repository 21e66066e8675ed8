"""The commands of the course: ``python -m dlcourse grade …``."""

import argparse
import sys

__all__ = ["main"]


def main(arguments=None):
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        Default: those of the command line.

    Returns
    -------
    int
        Exit status.
    """
    from .grading import cli

    parser = argparse.ArgumentParser(prog="dlcourse", description="Commands of the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    cli.add_arguments(commands.add_parser("grade", help="grade a folder of notebooks"))
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
