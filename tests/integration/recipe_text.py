"""Reads the blocks of a Markdown file that a test can run, and compares output with what the file shows.

A block in fences is one of three:
- a file: the line before it is its name, as in "`server.js`:"; a block of TOML without a name is grayd.toml;
- commands: its lines begin with "$ ", each followed by its output;
- neither; then the comment `<!-- not run: reason -->` must stand before it, as before commands that cannot be run.
"""
import collections
import re

Block = collections.namedtuple("Block", "kind name text line not_run")  # kind: file, commands or other
Section = collections.namedtuple("Section", "title blocks")
Command = collections.namedtuple("Command", "text expected")

NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
FILE_NAME = re.compile(r"`([^`\s]+)`:")

# What differs between two runs. All of it is replaced by N on both sides; all other numbers are compared.
CHANGING = re.compile(r"""
    \b[0-9a-f]{16,}\b                                       # an id
  | \b\d{4}-\d\d-\d\dT[\d:.]+Z?                             # times
  | \b[A-Z][a-z]{2},\ \d\d\ [A-Z][a-z]{2}\ \d{4}\ [\d:]{8}\ GMT
  | (?:\b\d\d-\d\d\ )?\b\d\d:\d\d:\d\d(?:\.\d+)?
  | (?i:\bpid"?:?\ ?)\d+ | \[\d+\]                         # processes
  | (?<=\#\d\ )\d+(?=\ [a-z])                               # in a table: the number behind a worker
  | \d+(?:\.\d+)?\ ?(?:[muµ]?s|[KMG]?i?B)\b                 # times and sizes with a unit
  | (?<![\d.])\d+(?:\.\d+){1,2}(?!\.?\d)                   # measured values, versions of programs; not addresses
  | \d{4,}                                                 # ports
""", re.VERBOSE)
NUMBER = re.compile(r"(?<![\w@#.])\d+(?![\w.])|(?<=\s)-(?=\s|$)")  # or the "-" for none in a table


def sections(text):
    """The sections ("## Title") of a Markdown text that have blocks, in order."""
    found, fence, before = [Section("", [])], None, []
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None:
            if line.startswith("```"):
                found[-1].blocks.append(block_of(*fence, before))
                fence, before = None, []
            else:
                fence[2].append(line)
        elif line.startswith("```"):
            fence = (number, line[3:].strip(), [])
        elif line.startswith("## "):
            found.append(Section(line[3:].strip(), []))
            before = []
        elif line.strip():
            before.append(line.strip())
    assert fence is None, f"the block of line {fence[0]} has no end"
    return [section for section in found if section.blocks]


def block_of(line, language, lines, before):
    """`before` are the lines of text between the block and the one before it, without empty ones."""
    not_run = NOT_RUN.fullmatch(before[-1]) if before else None
    text = "".join(f"{one}\n" for one in lines)
    names = FILE_NAME.fullmatch(before[-1]) if before else None
    if lines and lines[0].startswith("$ "):
        return Block("commands", None, text, line, not_run and not_run[1])
    if names or language == "toml":
        return Block("file", names[1] if names else "grayd.toml", text, line, not_run and not_run[1])
    return Block("other", None, text, line, not_run and not_run[1])


def commands(text):
    """The commands of a block, each with the output that must follow; a command ends without a backslash."""
    found, lines = [], iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            found.append(Command(command, []))
        else:
            found[-1].expected.append(line)
    return found


def normal(line, numbers=True):
    """A line with single blanks, and N for what differs between two runs; without `numbers` also for every number."""
    line = CHANGING.sub("N", re.sub(r"\s+", " ", line.strip()))
    return line if numbers else NUMBER.sub("N", line)


def pattern(expected, numbers=True):
    """A regular expression for `expected`, lines of a document: "..." alone stands for any lines, else for any text."""
    parts = []
    for line in expected:
        words = [re.escape(part) for part in normal(line, numbers).split("...")]
        parts.append(r"(?:.*\n)*" if line.strip() == "..." else ".*".join(words) + r"\n")
    return "".join(parts)


def matches(expected, output, goes_on=False, numbers=True):
    """Whether `output` is what the document shows; of a program that goes on running it is only the beginning."""
    lines = "".join(normal(line, numbers) + "\n" for line in output.splitlines())
    return re.fullmatch(pattern(expected + ["..."] * goes_on, numbers), lines) is not None
