"""``completion``: the script by which a shell completes commands, options and the names of presets."""

from __future__ import annotations

import click

_NAME = "patchworks-sandbox"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    eval "$(patchworks-sandbox completion bash)"
    patchworks-sandbox completion fish > ~/.config/fish/completions/patchworks-sandbox.fish
    """  # noqa: D301 - click reads the character that this escape stands for
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    command = context.find_root().command
    # not source(): that of bash runs bash to see how old it is
    variables = {"complete_func": "_patchworks_sandbox_completion", "complete_var": "_PATCHWORKS_SANDBOX_COMPLETE"}
    completer = found(command, {}, _NAME, variables["complete_var"])
    click.echo(completer.source_template % {**variables, "prog_name": _NAME})
