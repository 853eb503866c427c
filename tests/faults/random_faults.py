"""Random faults from fixed seeds: one run is one seed, and the same seed strikes in the same way again.

A run extracts a few entities of a small company through a source that stumbles (and perhaps dies half-way, or on a
full disk), looks at what is visible then, extracts again without a fault, and compares what stands landed with an
undisturbed extract, byte for byte.

    python -m tests.faults --seed 117             # one seed, told in full
    python -m tests.faults --runs 1000 --from 1   # so many, with the summary
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ingestion.http
from ingestion import landing
from ingestion.contracts import SourceError
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule
from ingestion.demo.server import DemoServer
from ingestion.extract import extract_due, resolve
from ingestion.settings import Settings
from ingestion.sources import SOURCES, datadog_paging, jira, servicenow

AS_OF = datetime(2024, 8, 1, tzinfo=UTC)
TICKET_COUNT = 40
ENTITIES_PER_RUN = 3
READ_TIMEOUT_SECONDS = 0.4
# A child at work takes about so long; a kill comes at any moment of it, or a little after.
CHILD_SECONDS = 0.6

# What strikes a request, by name: the settings of its rule, drawn by the seed.
REQUEST_FAULTS = {
    "status_429": lambda rng: {"action": "status", "status": 429, "retry_after": 0},
    "status_500": lambda rng: {"action": "status", "status": 500},
    "status_502": lambda rng: {"action": "status", "status": 502},
    "timeout": lambda rng: {"action": "delay", "seconds": READ_TIMEOUT_SECONDS * 1.5},
    "cut_connection": lambda rng: {"action": "cut", "share": rng.choice((0.0, rng.random(), 0.99))},
    "broken_json": lambda rng: {"action": "malformed"},
    "duplicated_page": lambda rng: {"action": "duplicate_page"},
    "reordered_page": lambda rng: {"action": "shuffle"},
    "short_page": lambda rng: {"action": "short_page", "records": rng.randint(1, 12)},
    "shrinking_list": lambda rng: {"action": "shrink", "records": rng.randint(1, 12)},
    "empty_page": lambda rng: {"action": "empty_page"},
    "changed_total": lambda rng: {"action": "change_total", "by": rng.choice((-3, -1, 1, 7))},
    "malformed_record": lambda rng: {
        "action": "bad_record",
        "records": rng.randint(1, 10),
        "value": rng.choice((None, 17, "text", ["a", 1.5], {}, {"id": "", "sys_id": ""}, {"id": "\ud83d"})),
    },
}
# What strikes the process itself.
PROCESS_FAULTS = ("killed_at_a_call", "killed_at_a_moment", "full_disk")
KINDS = (*REQUEST_FAULTS, *PROCESS_FAULTS)
# Records that are malformed at the source for good: every extract rejects them, with the same reasons.
STANDING_FAULTS = (
    FaultRule(r"table/incident\?.*offset=10$", "bad_record", records=3, value=["not", "an", "incident"]),
    FaultRule(r"table/sys_user\?.*offset=20$", "set_value", column="sys_id", value=""),
    FaultRule(r"employees/directory", "bad_record", records=7, value=None),
)


@dataclass(frozen=True)
class Plan:
    """What a seed means: entities in order, rules of the server, and what befalls the process.

    `process` is '' or one of PROCESS_FAULTS; `call_share` and `kill_after_seconds` say when, `file_bytes` how large a
    file may grow on the full disk.
    """

    seed: int
    kinds: tuple[str, ...]
    entities: tuple[tuple[str, str], ...]
    rules: tuple[FaultRule, ...]
    process: str
    call_share: float
    kill_after_seconds: float
    file_bytes: int


@dataclass
class Outcome:
    """What came of a run: how the disturbed extract ended, faults that struck, and the differences found."""

    plan: Plan
    ending: str
    struck_count: int
    differences: list[str] = field(default_factory=list)
    received_count: int = 0


# What gives fewer records than there are and keeps silent about it.
WITHOUT_TOTALS = ("jira", "datadog")
LEFT_OUT = ("empty_page", "short_page", "shrinking_list")


def plan_of(seed: int, entities: Sequence[tuple[str, str]]) -> Plan:
    """The plan of a seed. Each kind comes first in its turn, so that any stretch of seeds has all of them."""
    rng = random.Random(seed)
    first = KINDS[seed % len(KINDS)]
    kinds = [first, *rng.sample([kind for kind in REQUEST_FAULTS if kind != first], rng.randint(0, 3))]
    rules = []
    for kind in kinds:
        if kind in REQUEST_FAULTS:
            start, every = rng.randint(1, 8), rng.choice((1, 2, 3, 50))
            if kind in LEFT_OUT and every < 3:
                every = 3  # a source without a total that leaves records out twice running cannot be seen through
            nth = tuple(range(start, start + rng.randint(1, 3) * every, every))
            rules.append(FaultRule("", nth=nth, **REQUEST_FAULTS[kind](rng)))
    if "shrinking_list" in kinds:
        # where no total tells of it, a list that is shorter from now on is what the source says
        entities = [pair for pair in entities if pair[0] not in WITHOUT_TOTALS]
    # Two lists of many pages at least: most faults are of paging.
    windowed = [pair for pair in entities if resolve(*pair)[1].partitioning == "daily"]
    chosen = rng.sample(windowed, 2)
    chosen += rng.sample([pair for pair in entities if pair not in chosen], ENTITIES_PER_RUN - 2)
    rng.shuffle(chosen)
    return Plan(
        seed=seed,
        kinds=tuple(kinds),
        entities=tuple(chosen),
        rules=tuple(rules),
        process=first if first in PROCESS_FAULTS else "",
        call_share=rng.random(),
        kill_after_seconds=rng.uniform(0, CHILD_SECONDS),
        file_bytes=int(10 ** rng.uniform(2, 6.9)),
    )


class Arena:
    """The company's server, an empty warehouse to start from, and what an undisturbed extract lands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._restore: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Arena:
        for where, name, value in small_pages():
            self._restore.append((where, name, getattr(where, name)))
            setattr(where, name, value)
        self.server = DemoServer(
            build_company(ticket_count=TICKET_COUNT, as_of=AS_OF), drops_path=self.folder / "drops"
        )
        self.server.start()
        self.environment = self.server.environment()
        self._before = dict(os.environ)
        os.environ.update(self.environment)
        self.entities = [
            (source.name, entity.name)
            for source in SOURCES.values()
            if source.is_configured()[0]
            for entity in source.entities.values()
        ]
        self.empty = self.settings("empty")
        landing.prepare(self.empty)
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload(["tests.faults.random_faults"])
        undisturbed = self.settings("undisturbed")
        shutil.copy(self.empty.warehouse_path, undisturbed.warehouse_path)
        self.strike(())
        extract_all(undisturbed, self.entities)
        self.expected = content(undisturbed, self.entities)
        assert not invariants(undisturbed, self.entities)
        self.call_count = self._count_calls()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        os.environ.clear()
        os.environ.update(self._before)
        for where, name, value in self._restore:
            setattr(where, name, value)

    def settings(self, name: str) -> Settings:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return Settings.from_env({**os.environ, "WAREHOUSE_PATH": str(folder / "warehouse.duckdb"), "SPOOL_PATH": ""})

    def strike(self, rules: Sequence[FaultRule]) -> None:
        """Let the server misbehave by these rules, besides what is always malformed."""
        self.server.plan = FaultPlan([*rules, *STANDING_FAULTS])

    def _count_calls(self) -> int:
        """Calls within the landing that an undisturbed run of some entities makes: the moments to die at."""
        settings = self.settings("counted")
        shutil.copy(self.empty.warehouse_path, settings.warehouse_path)
        with counting_calls(None) as calls:
            extract_all(settings, plan_of(0, self.entities).entities)
        return calls[0]

    def run(self, seed: int) -> Outcome:
        """One seed, from an empty warehouse to the comparison."""
        plan = plan_of(seed, self.entities)
        settings = self.settings(f"run-{seed}")
        shutil.copy(self.empty.warehouse_path, settings.warehouse_path)
        self.strike(plan.rules)
        ending = self._disturbed_in_child(plan, settings) if plan.process else disturbed(settings, plan.entities)
        outcome = Outcome(plan, ending, sum(self.server.plan.fired()[: len(plan.rules)]) + bool(plan.process))
        with landing.hold_open(settings):
            outcome.differences += [f"after the fault: {text}" for text in invariants(settings, plan.entities)]
            if ending == "finished" and content(settings, plan.entities) != self._expected(plan):
                outcome.ending = "landed, mended by the clean run"
            self.strike(())
            try:
                extract_all(settings, plan.entities)
            except SourceError as error:
                outcome.differences.append(f"the clean run failed: {error}")
        with landing.hold_open(settings):
            outcome.differences += [f"after the clean run: {text}" for text in invariants(settings, plan.entities)]
            outcome.differences += [
                f"{source}.{entity} differs from the undisturbed extract"
                for (source, entity), dump in content(settings, plan.entities).items()
                if dump != self.expected[source, entity]
            ]
            outcome.received_count = received(settings)
        if list(settings.spool_path.glob("extract-*")):
            outcome.differences.append("pages were left in the spool")
        if not outcome.differences:
            shutil.rmtree(settings.warehouse_path.parent)
        return outcome

    def _expected(self, plan: Plan) -> dict[tuple[str, str], bytes]:
        return {pair: self.expected[pair] for pair in plan.entities}

    def _disturbed_in_child(self, plan: Plan, settings: Settings) -> str:
        ready, told = self._forks.Pipe(duplex=False)
        child = self._forks.Process(
            target=_child, args=(told, dict(os.environ), settings, plan, self.call_count), daemon=True
        )
        child.start()
        told.close()
        ready.recv()
        if plan.process == "killed_at_a_moment":
            time.sleep(plan.kill_after_seconds)
            child.kill()
        child.join(120)
        if child.exitcode == -signal.SIGKILL:
            return "killed"
        return ready.recv() if child.exitcode == 0 and ready.poll() else f"ended with code {child.exitcode}"


def small_pages() -> list[tuple[Any, str, Any]]:
    """Many pages of few records, and no waiting for a server that is this very machine."""
    return [
        (servicenow, "PAGE_SIZE", 10),
        (datadog_paging, "EVENT_PAGE_SIZE", 25),
        (datadog_paging, "PAGE_SIZE", 5),
        (jira, "PAGE_SIZE", 10),
        (ingestion.http, "BACKOFF_SECONDS", 0.0),
    ]


def extract_all(settings: Settings, entities: Sequence[tuple[str, str]]) -> None:
    """What a scheduler does in a run: everything that is owed, under one open warehouse."""
    with landing.hold_open(settings):
        for source, entity in entities:
            extract_due(settings, source, entity, AS_OF, "run")


def disturbed(settings: Settings, entities: Sequence[tuple[str, str]]) -> str:
    """Extract while the source stumbles; how it ended, in a word."""
    patient, ingestion.http.READ_TIMEOUT_SECONDS = ingestion.http.READ_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
    try:
        extract_all(settings, entities)
    except SourceError as error:
        return "disk full, told" if "disk" in error.what else "failed with a clear error"
    finally:
        ingestion.http.READ_TIMEOUT_SECONDS = patient
    return "finished"


@contextmanager
def counting_calls(die_at: int | None) -> Iterator[list[int]]:
    """Count calls of Python functions and into C within this thread; at number `die_at` kill -9 this process."""
    calls = [0]

    def count(frame: object, event: str, argument: object) -> None:
        calls[0] += 1
        if calls[0] == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def _child(told: Any, environment: dict[str, str], settings: Settings, plan: Plan, call_count: int) -> None:
    os.environ.update(environment)
    for where, name, value in small_pages():
        setattr(where, name, value)
    told.send("ready")
    if plan.process == "full_disk":
        # Writes beyond fail in Python, Arrow and DuckDB alike, as they do when nothing is free.
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan.file_bytes, resource.RLIM_INFINITY))
    if plan.process == "killed_at_a_call":
        with counting_calls(max(1, int(call_count * plan.call_share))):
            ending = disturbed(settings, plan.entities)
    else:
        ending = disturbed(settings, plan.entities)
    told.send(ending)


def content(settings: Settings, entities: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """What stands landed of each entity, as bytes: every column of every row, the batch's facts, every reject.

    Left out is what names a moment or a batch, and the mark the batches before had reached.
    """
    dumps = {}
    with landing.connect(settings, read_only=True) as connection:
        for source, name in entities:
            rows = connection.execute(
                f"""
                select b.partition_key, r.* exclude (_batch_id, _extracted_at)
                from {resolve(source, name)[1].table} as r
                inner join landing.extract_state as s on s.current_batch_id = r._batch_id
                inner join landing.extract_batch as b on b.batch_id = r._batch_id
                order by b.partition_key, r._row_number
                """
            ).fetchall()
            facts, rejects = (
                connection.execute(
                    f"""
                    select {columns} from landing.{table} as t
                    inner join landing.extract_state as s on s.current_batch_id = t.batch_id
                    where s.source = ? and s.entity = ? order by s.partition_key {order}
                    """,
                    [source, name],
                ).fetchall()
                for table, columns, order in (
                    (
                        "extract_batch",
                        "t.* exclude (batch_id, started_at, finished_at, high_water_before, run_id)",
                        "",
                    ),
                    ("landing_reject", "t.* exclude (batch_id, rejected_at)", ", t.row_number"),
                )
            )
            gone = connection.execute(
                """
                select d.record_key from landing.deleted_record as d
                inner join landing.extract_state as s on s.current_batch_id = d.batch_id
                where d.source = ? and d.entity = ? group by d.record_key having max_by(d.is_deleted, d.found_at)
                """,
                [source, name],
            ).fetchall()
            dumps[source, name] = repr((facts, rejects, rows, gone)).encode()
    return dumps


def invariants(settings: Settings, entities: Sequence[tuple[str, str]]) -> list[str]:
    """What must hold at any moment: batches whole, counts true, each received record landed or turned away."""
    found = []
    with landing.connect(settings, read_only=True) as connection:
        for source, name in entities:
            table = resolve(source, name)[1].table
            found += [
                f"{source}.{name} batch {row}"
                for row in connection.execute(
                    f"""
                    with records as (
                        select _batch_id as batch_id, _row_number as n, 'landed' as what from {table}
                        union all
                        select
                            batch_id, row_number,
                            case when coalesce(reason, '') = '' then 'no reason' else 'rejected' end
                        from landing.landing_reject where source = $source and entity = $entity
                    ),
                    counted as (
                        select
                            batch_id, count(*) filter (what = 'landed') as row_count,
                            count(*) filter (what = 'rejected') as rejected_count, count(distinct n) as received_count,
                            coalesce(min(n), 1) as first, coalesce(max(n), 0) as last
                        from records group by batch_id
                    )
                    select b.batch_id, b.received_count, b.row_count, b.rejected_count, c.*
                    from (select * from landing.extract_batch where source = $source and entity = $entity) as b
                    full join counted as c on c.batch_id = b.batch_id
                    where b.batch_id is null
                        or b.received_count <> b.row_count + b.rejected_count
                        or b.row_count <> coalesce(c.row_count, 0)
                        or b.rejected_count <> coalesce(c.rejected_count, 0)
                        or b.received_count <> coalesce(c.received_count, 0)
                        or coalesce(c.first, 1) <> 1 or coalesce(c.last, 0) <> b.received_count
                    """,
                    {"source": source, "entity": name},
                ).fetchall()
            ]
        found += [
            f"state without its batch: {row}"
            for row in connection.execute(
                """
                select s.* from landing.extract_state as s
                anti join landing.extract_batch as b on b.batch_id = s.current_batch_id
                    and b.source = s.source and b.entity = s.entity and b.partition_key = s.partition_key
                """
            ).fetchall()
        ]
    return found


def received(settings: Settings) -> int:
    """Records received over all batches of a warehouse."""
    with landing.connect(settings, read_only=True) as connection:
        return connection.execute("select coalesce(sum(received_count), 0) from landing.extract_batch").fetchone()[0]


def summary(outcomes: Sequence[Outcome], expected: dict[tuple[str, str], bytes], seconds: float) -> str:
    """Lines for people: per kind how many runs and how they ended, then the count, the seeds and the verdict."""
    lines = []
    for kind in KINDS:
        runs = [outcome for outcome in outcomes if kind in outcome.plan.kinds]
        endings = Counter(outcome.ending for outcome in runs)
        told = ", ".join(f"{ending} {count}" for ending, count in endings.most_common())
        wrong = sum(bool(outcome.differences) for outcome in runs)
        lines.append(f"{kind:<20} {len(runs):>4} runs: {told or 'none'}; different afterwards: {wrong}")
    seeds = [outcome.plan.seed for outcome in outcomes]
    failed = [outcome.plan.seed for outcome in outcomes if outcome.differences]
    digest = hashlib.sha256(b"".join(expected[pair] for pair in sorted(expected))).hexdigest()[:16]
    lines.append(
        f"{len(outcomes)} runs with random faults (seeds {min(seeds)} to {max(seeds)}), "
        f"{sum(outcome.struck_count for outcome in outcomes)} faults struck in "
        f"{sum(outcome.struck_count > 0 for outcome in outcomes)} of them, "
        f"{sum(outcome.received_count for outcome in outcomes):,} records received; "
        f"{len(outcomes) - len(failed)} equal the undisturbed landing ({digest}) byte for byte, "
        f"{len(failed)} do not{': seeds ' + ', '.join(map(str, failed)) if failed else ''} ({seconds:.0f} s)"
    )
    return "\n".join(lines)


def folder_in_memory() -> Path | None:
    """Where files cost no waiting for a disk, if the machine has such a place; None: wherever temporary files go."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30 else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds and print the summary; 1 when any run differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, help="this seed only, told in full")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    options = parser.parse_args(arguments)
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.runs)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-", dir=folder_in_memory()) as folder, Arena(Path(folder)) as arena:
        outcomes = []
        for seed in seeds:
            outcome = arena.run(seed)
            outcomes.append(outcome)
            if options.seed is not None:
                print(replace(outcome.plan, rules=()))  # noqa: T201
                for rule, fired in zip(outcome.plan.rules, arena.server.plan.fired(), strict=False):
                    print(f"  {rule} ({fired})")  # noqa: T201
                print(f"  {outcome.ending}; {outcome.struck_count} faults struck")  # noqa: T201
            for difference in outcome.differences:
                print(f"seed {seed}: {difference}")  # noqa: T201
        print(summary(outcomes, arena.expected, time.monotonic() - begun))  # noqa: T201
    return int(any(outcome.differences for outcome in outcomes))
