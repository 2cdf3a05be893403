#!/usr/bin/env python3
"""Writes the completions of grayd into a folder, for bash (grayd.bash), zsh (_grayd) and fish (grayd.fish): its
sub-commands and their options, from its own --help.

grayctl prints its completions itself, because it completes names of services, too.
"""
import argparse
import dataclasses
import pathlib
import re

from manuals import Help, help_of

BASH = """# completion of grayd for bash
_grayd() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} offered= one
  case $before in
    {valued}) return ;;  # a file, by default
  esac
  offered="{top}"
  for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $one in
{verbs}
    esac
  done
  COMPREPLY=($(compgen -W "$offered" -- "$word"))
}}
complete -o default -F _grayd grayd
"""
ZSH = """#compdef grayd
# completion of grayd for zsh
_grayd() {{
  local one
  local -a offered
  case ${{words[CURRENT-1]}} in
    {valued}) _files; return ;;
  esac
  offered=({top})
  for one in "${{(@)words[2,CURRENT-1]}}"; do
    case $one in
{verbs}
    esac
  done
  _describe 'grayd' offered || _files
}}
if [[ "${{funcstack[1]}}" = _grayd ]]; then _grayd; else compdef _grayd grayd; fi
"""


@dataclasses.dataclass
class Word:
    """A sub-command, or an option with its long name."""
    name: str
    text: str
    valued: bool = False
    short: str = ""


def options_of(found):
    for entry, text in found.groups.get("Options", []):
        if option := re.match(r"(?:-(\w),)?(--[\w-]+)( [A-Z]+)?$", entry):
            yield Word(option[2], text, bool(option[3]), option[1] or "")


def sub_commands_of(found):
    return [Word(name, text) for group, entries in found.groups.items() if group not in ("Options", "Positionals")
            for name, text in entries]


def quoted(text):
    """For all three shells: fish alone also reads a backslash between the quotes."""
    return "'" + text.replace("\\", "").replace("'", "") + "'"


def bash(top, below, valued):
    verbs = "\n".join(f"      {verb}) offered=\"{' '.join(one.name for one in words)}\" ;;"
                      for verb, words in below.items())
    return BASH.format(valued=valued, top=" ".join(one.name for one in top), verbs=verbs)


def zsh(top, below, valued):
    def described(words):
        return " ".join(quoted(f"{one.name}:{one.text}") for one in words)
    verbs = "\n".join(f"      {verb}) offered=({described(words)}) ;;" for verb, words in below.items())
    return ZSH.format(valued=valued, top=described(top), verbs=verbs)


def fish(top, below):
    lines = ["# completion of grayd for fish"]
    places = {"__fish_use_subcommand": top,
              **{f"__fish_seen_subcommand_from {verb}": words for verb, words in below.items()}}
    for place, words in places.items():
        for one in words:
            if one.name.startswith("--"):
                what = f"-l {one.name[2:]}{f' -s {one.short}' if one.short else ''}{' -r -F' if one.valued else ''}"
            else:
                what = f"-f -a {one.name}"
            lines.append(f"complete -c grayd -n {quoted(place)} {what} -d {quoted(one.text)}")
    return "\n".join(lines) + "\n"


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grayd", help="the program")
    parser.add_argument("folder", type=pathlib.Path, help="for the files")
    arguments = parser.parse_args()
    found = Help(help_of(arguments.grayd, []))
    below = {verb.name: list(options_of(Help(help_of(arguments.grayd, [verb.name]))))
             for verb in sub_commands_of(found)}
    options = list(options_of(found))
    top = [*sub_commands_of(found), *options]
    every = [one for words in (options, *below.values()) for one in words if one.valued]
    valued = "|".join(sorted({name for one in every for name in (one.name, f"-{one.short}") if name != "-"}))
    for name, text in (("grayd.bash", bash(top, below, valued)), ("_grayd", zsh(top, below, valued)),
                       ("grayd.fish", fish(top, below))):
        (arguments.folder / name).write_text(text)


if __name__ == "__main__":
    run()
