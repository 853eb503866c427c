"""Measure commands as whole processes, side by side: CPU seconds, peak memory and wall time.

Variants run interleaved (A B C A B C ...), so a machine that slows down half-way slows all of them alike. CPU
seconds are user plus system time of the child and of everything it waited for; peak memory is the largest
resident set of any one of them. Ratios are taken round by round against the first variant, then their median.

    python -m benchmarks.measure --repeats 5 --json figures.json \
        --variant floor "python floor.py" --variant engine "python engine.py"

Keep the process that calls this module small: a child's peak memory on Linux is never reported below the
resident set of the parent it was started from.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class MeasuredCommandError(RuntimeError):
    """A measured command failed; the message ends with what it wrote to its standard error."""


@dataclass(frozen=True)
class Variant:
    """One command to measure. prepare runs before each repeat and is not measured."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Sample:
    """What one run of one command took."""

    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    output: str = ""


@dataclass
class Report:
    """All samples of all variants, in order of running."""

    title: str
    samples: dict[str, list[Sample]]

    def median(self, name: str, figure: str = "cpu_seconds") -> float:
        """Median of one figure of one variant."""
        return statistics.median(getattr(sample, figure) for sample in self.samples[name])

    def ratio(self, name: str, base: str, figure: str = "cpu_seconds") -> float:
        """Median over the rounds of name's figure to base's in the same round."""
        pairs = zip(self.samples[name], self.samples[base], strict=True)
        return statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)

    def table(self) -> str:
        """The report as a Markdown table; ratios are to the first variant."""
        base = next(iter(self.samples))
        lines = [
            "| variant | runs | CPU seconds: median (min to max) | ratio | wall seconds | peak memory MB |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for name, samples in self.samples.items():
            cpu = [sample.cpu_seconds for sample in samples]
            peak = max(sample.peak_memory_bytes for sample in samples) / 1e6
            lines.append(
                f"| {name} | {len(samples)} | {statistics.median(cpu):.2f} ({min(cpu):.2f} to {max(cpu):.2f}) "
                f"| {self.ratio(name, base):.2f} | {self.median(name, 'wall_seconds'):.2f} | {peak:.0f} |"
            )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON: machine, every sample, and the summary the table shows."""
        base = next(iter(self.samples))
        return {
            "title": self.title,
            "machine": machine(),
            "variants": {
                name: {
                    "cpu_seconds_median": round(self.median(name), 3),
                    "cpu_seconds_min": round(min(sample.cpu_seconds for sample in samples), 3),
                    "cpu_seconds_max": round(max(sample.cpu_seconds for sample in samples), 3),
                    "wall_seconds_median": round(self.median(name, "wall_seconds"), 3),
                    "peak_memory_bytes_max": max(sample.peak_memory_bytes for sample in samples),
                    "cpu_ratio_to_first": round(self.ratio(name, base), 4),
                    "samples": [asdict(sample) for sample in samples],
                }
                for name, samples in self.samples.items()
            },
        }

    def write_json(self, path: Path) -> None:
        """Write as_dict to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on, without anything that tells whose machine it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "processor": _processor(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def run_once(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Sample:
    """Run one command to its end and say what it took.

    Raises:
        MeasuredCommandError: it ended with another code than 0.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        child = subprocess.Popen(
            list(command), stdout=output, stderr=errors, cwd=folder, env={**os.environ, **(environment or {})}
        )
        # wait4 gives this child's own use; getrusage(RUSAGE_CHILDREN) would mix all children so far
        _, status, usage = os.wait4(child.pid, 0)
        wall_seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        written = output.read().decode(errors="replace")
        if child.returncode != 0:
            tail = (errors.read().decode(errors="replace") or written)[-4000:]
            raise MeasuredCommandError(f"{shlex.join(command)} ended with {child.returncode}:\n{tail}")
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return Sample(
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        wall_seconds=wall_seconds,
        peak_memory_bytes=usage.ru_maxrss * kilobyte,
        output=written.strip()[-2000:],
    )


def measure(title: str, variants: Sequence[Variant], repeats: int, tell: Callable[[str], None] | None = None) -> Report:
    """Run every variant `repeats` times, interleaved. tell gets one line a run."""
    report = Report(title, {variant.name: [] for variant in variants})
    for round_number in range(1, repeats + 1):
        for variant in variants:
            if variant.prepare is not None:
                variant.prepare()
            sample = run_once(variant.command, variant.environment, variant.folder)
            report.samples[variant.name].append(sample)
            if tell is not None:
                tell(
                    f"round {round_number} {variant.name}: {sample.cpu_seconds:.2f} CPU s, "
                    f"{sample.wall_seconds:.2f} s wall, {sample.peak_memory_bytes / 1e6:.0f} MB"
                )
    return report


def to_standard_error(line: str) -> None:
    """Progress for a person who watches; standard output is for the table."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """Command line: measure the variants given and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measure", description=__doc__.splitlines()[0])
    parser.add_argument("--variant", nargs=2, action="append", required=True, metavar=("NAME", "COMMAND"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--title", default="measured commands")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    variants = [Variant(name, shlex.split(command)) for name, command in options.variant]
    try:
        report = measure(options.title, variants, options.repeats, to_standard_error)
    except MeasuredCommandError as error:
        to_standard_error(str(error))
        return 1
    sys.stdout.write(report.table() + "\n")
    if options.json:
        report.write_json(options.json)
    return 0


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
