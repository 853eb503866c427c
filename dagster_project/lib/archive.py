"""The archive of closed periods: folders that are written once, chained by hash, and verified byte by byte.

    <archive>/chain.json                  the periods in the order they were closed, each with its manifest's sha256
    <archive>/2025-Q1/manifest.json       what the period holds: rows, bytes and sha256 of each file, totals, approvals
    <archive>/2025-Q1/manifest.sha256     the manifest's own sha256, as `sha256sum -c` reads it
    <archive>/2025-Q1/<schema>.<table>.parquet

A period is written into a temporary folder beside its place, synced to disk, and put there by one rename: killed at
any moment, a close leaves the period closed whole or not at all. Each manifest holds the sha256 of the one before it.
chain.json follows the rename; a period that stands there and is not yet in it is taken up by the next close.

Nothing here knows what a period consists of (see archive_content), nor Dagster.

Delivers: OPS-2.6, SVC-5.6
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.lib.run_lock import hold

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
CHAIN = "chain.json"
PERIOD = re.compile(r"\d{4}-Q[1-4]")
HALF_WRITTEN = ".closing-"
CHAIN_HALF_WRITTEN = f".{CHAIN}.tmp"
BLOCK_BYTES = 1 << 20


class ArchiveError(RuntimeError):
    """The archive cannot be written or read as asked: the message says what, where and how to mend it."""


@dataclass(frozen=True)
class Link:
    """One period in the chain: its place from 1 on, and the sha256 of its manifest."""

    sequence: int
    period: str
    manifest_sha256: str


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written. period and file are '' where it concerns none."""

    period: str
    file: str
    what: str

    def __str__(self) -> str:
        return f"{'/'.join(part for part in (self.period, self.file) if part) or 'the archive'}: {self.what}"


@dataclass
class Verification:
    """What a look through the whole archive found. notes: what is no finding but worth a word."""

    periods: list[str] = field(default_factory=list)
    file_count: int = 0
    byte_count: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    last_manifest_sha256: str | None = None


@dataclass(frozen=True)
class Content:
    """What a close puts into a period's folder.

    tables: file name -> what the manifest says of it beyond bytes and sha256 (`row_count` at least).
    about: everything else the manifest says.
    """

    tables: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, Any]


def canonical(content: Any) -> bytes:
    """JSON in the one form the archive writes: sorted keys, two blanks, a line feed at the end."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def archive_lock_path(archive_path: Path) -> Path:
    """The lock file of the archive; it stands beside the folder."""
    return archive_path.with_name(f"{archive_path.name}.lock")


def seal_text(manifest_sha256: str) -> str:
    """The content of manifest.sha256."""
    return f"{manifest_sha256}  {MANIFEST}\n"


# --- reading ---


def read_chain(archive_path: Path) -> list[Link]:
    """The periods closed so far, in order. Raises ArchiveError where chain.json is not what a close writes."""
    path = archive_path / CHAIN
    if not path.exists():
        if _period_folders(archive_path):
            raise ArchiveError(f"{path} is missing beside closed periods: {_RESTORE}")
        return []
    try:
        links = links_of(path.read_bytes())
    except ValueError as error:
        raise ArchiveError(f"{path} {error}: {_RESTORE}") from error
    return with_unfinished(archive_path, links, _period_folders(archive_path))


def read_manifest(archive_path: Path, link: Link) -> dict[str, Any]:
    """The manifest of a period of the chain. Raises ArchiveError where it is gone or not the one that was chained."""
    path = archive_path / link.period / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}): {_RESTORE}") from error
    if hashlib.sha256(content).hexdigest() != link.manifest_sha256:
        raise ArchiveError(f"{path} is not the manifest that was closed (sha256 {link.manifest_sha256}): {_RESTORE}")
    return dict(json.loads(content))


def checked_file(archive_path: Path, link: Link, manifest: Mapping[str, Any], name: str) -> Path:
    """The path of a file of a closed period, after its bytes were held against the manifest. Raises ArchiveError."""
    path = archive_path / link.period / name
    said = next((entry for entry in manifest["files"] if entry["name"] == name), None)
    if said is None:
        raise ArchiveError(f"period {link.period} of {archive_path} holds no {name}: it was closed by another format")
    if not path.is_file() or sha256_of(path) != said["sha256"]:
        raise ArchiveError(f"{path} is not the file that was closed (sha256 {said['sha256']}): {_RESTORE}")
    return path


_RESTORE = "restore the archive from its backup and run `sltw verify-archive`"


def links_of(content: bytes) -> list[Link]:
    """chain.json as links. ValueError says what is wrong with it."""
    try:
        raw = json.loads(content)
        links = [Link(int(e["sequence"]), str(e["period"]), str(e["manifest_sha256"])) for e in raw["periods"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"cannot be read ({type(error).__name__})") from error
    if content != chain_bytes(links):
        raise ValueError("is not in the form a close writes it: a byte has changed")
    if [link.sequence for link in links] != list(range(1, len(links) + 1)):
        raise ValueError("does not count its periods 1, 2, 3 …")
    return links


def chain_bytes(links: Sequence[Link]) -> bytes:
    """chain.json of these links."""
    return canonical(
        {
            "format_version": FORMAT_VERSION,
            "periods": [
                {"sequence": link.sequence, "period": link.period, "manifest_sha256": link.manifest_sha256}
                for link in links
            ],
        }
    )


def _period_folders(archive_path: Path) -> list[str]:
    if not archive_path.is_dir():
        return []
    return sorted(entry.name for entry in archive_path.iterdir() if PERIOD.fullmatch(entry.name))


def with_unfinished(folder: Path, links: list[Link], names: Sequence[str]) -> list[Link]:
    """The chain with the one folder behind it that was renamed into place and not yet written down, if there is one.

    names: the chained folders that stand there, such as periods.
    """
    known = {link.period for link in links}
    ahead = [name for name in names if name not in known]
    if len(ahead) != 1:
        return links
    place = folder / ahead[0]
    try:
        content, seal = (place / MANIFEST).read_bytes(), (place / SEAL).read_text(encoding="utf-8")
        manifest = json.loads(content)
    except (OSError, ValueError):
        return links
    sha256 = hashlib.sha256(content).hexdigest()
    previous = links[-1].manifest_sha256 if links else None
    if (
        not isinstance(manifest, dict)
        or seal != seal_text(sha256)
        or manifest.get("previous_manifest_sha256") != previous
        or manifest.get("sequence") != len(links) + 1
        or manifest.get("period") != ahead[0]
    ):
        return links
    return [*links, Link(len(links) + 1, ahead[0], sha256)]


# --- writing ---


def write_period(
    archive_path: Path,
    period: str,
    closed_at: datetime,
    fill: Callable[[Path], Content],
    lock_wait_seconds: float = 0.0,
) -> Link:
    """Close a period: `fill` writes its files into the folder it is given; then it is chained and put in its place.

    Clears what killed closes left behind. Raises ArchiveError where the period is closed already or would not come
    last, where the chain before it is damaged, and whatever `fill` raises; then nothing is there that was not before.
    """
    if not PERIOD.fullmatch(period):
        raise ArchiveError(f"{period!r} is no period: write a quarter such as 2025-Q3")
    archive_path.mkdir(parents=True, exist_ok=True, mode=0o750)
    holder = {"what": f"the close of {period} (process {os.getpid()})"}
    with hold(archive_lock_path(archive_path), holder):
        clear_leftovers(archive_path, HALF_WRITTEN)
        if not (archive_path / CHAIN).exists() and not _period_folders(archive_path):
            write_chain(archive_path, [])
        links = read_chain(archive_path)
        refuse_closing(archive_path, links, period)
        if len(links) != len(links_of((archive_path / CHAIN).read_bytes())):
            write_chain(archive_path, links)
        if links:
            read_manifest(archive_path, links[-1])
        building = archive_path / f"{HALF_WRITTEN}{period}-{secrets.token_hex(8)}"
        building.mkdir(mode=0o700)
        try:
            content = fill(building)
            about = {**content.about, "closed_at": closed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            link = seal_folder(building, period, Content(content.tables, about), links)
            building.rename(archive_path / period)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync(archive_path)
        write_chain(archive_path, [*links, link])
        return link


def refuse_closing(archive_path: Path, links: Sequence[Link], period: str) -> None:
    """Raises ArchiveError where a period is closed already, or a later one is."""
    closed = next((link for link in links if link.period == period), None)
    if closed is not None:
        raise ArchiveError(
            f"{period} is closed (manifest sha256 {closed.manifest_sha256}) and a period closes once only: correct it "
            "by lines in the open period; what came to light since stands in finance.fct_restatement"
        )
    if links and links[-1].period > period:
        raise ArchiveError(
            f"{period} comes before {links[-1].period}, which is closed: periods close in their order, and one that "
            "was left out cannot be closed behind a later one"
        )
    if (archive_path / period).exists():
        raise ArchiveError(f"{archive_path / period} is there and not part of the chain: {_RESTORE}")


def seal_folder(building: Path, period: str, content: Content, links: Sequence[Link]) -> Link:
    """Write manifest and seal over what stands in the folder, all of it synced; returns the link to come."""
    files = []
    for name in sorted(content.tables):
        path = building / name
        sync(path)
        path.chmod(0o440)
        files.append({**content.tables[name], "name": name, "bytes": path.stat().st_size, "sha256": sha256_of(path)})
    stray = {entry.name for entry in building.iterdir()} - set(content.tables)
    if stray:
        raise ArchiveError(f"{', '.join(sorted(stray))} was written and is not named: a defect of the close")
    manifest = canonical(
        {
            **content.about,
            "format_version": FORMAT_VERSION,
            "period": period,
            "sequence": len(links) + 1,
            "files": files,
            "previous_manifest_sha256": links[-1].manifest_sha256 if links else None,
        }
    )
    sha256 = hashlib.sha256(manifest).hexdigest()
    write_synced(building / MANIFEST, manifest)
    write_synced(building / SEAL, seal_text(sha256).encode())
    for name in (MANIFEST, SEAL):
        (building / name).chmod(0o440)
    building.chmod(0o750)
    sync(building)
    return Link(len(links) + 1, period, sha256)


def clear_leftovers(folder: Path, half_written: str) -> None:
    """Remove what a writer that was killed left behind (folders named half_written...); the caller holds the lock."""
    for entry in folder.glob(f"{half_written}*"):
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (folder / CHAIN_HALF_WRITTEN).unlink(missing_ok=True)


def write_chain(folder: Path, links: Sequence[Link]) -> None:
    """Put chain.json of these links in place of the one before."""
    building = folder / CHAIN_HALF_WRITTEN
    write_synced(building, chain_bytes(links))
    building.chmod(0o640)
    building.replace(folder / CHAIN)
    sync(folder)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and see it on the disk."""
    path.write_bytes(content)
    sync(path)


def sync(path: Path) -> None:
    """See a file, or the entries of a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- verifying ---


def verify(archive_path: Path, registered: Mapping[str, str] | None = None) -> Verification:
    """Hold every byte of the archive against what was closed.

    registered: period -> manifest sha256 as noted elsewhere (the warehouse's landing.closed_period), so that even an
    archive that was rewritten as a whole, or is gone, is found out.
    """
    seen = Verification()
    links: list[Link] = []
    is_chain_known = False
    if archive_path.is_dir():
        for entry in sorted(archive_path.iterdir()):
            if entry.is_symlink() or not (
                (entry.is_dir() and PERIOD.fullmatch(entry.name)) or (entry.is_file() and entry.name == CHAIN)
            ):
                if entry.name.startswith(HALF_WRITTEN) or entry.name == CHAIN_HALF_WRITTEN:
                    seen.notes.append(f"{entry.name} is left of a close that was cut off; the next close clears it")
                else:
                    seen.findings.append(Finding("", entry.name, "was added: no close writes it"))
        seen.periods = [name for name in _period_folders(archive_path) if (archive_path / name).is_dir()]
        try:
            links, is_chain_known = links_of((archive_path / CHAIN).read_bytes()), True
            if (finished := with_unfinished(archive_path, links, _period_folders(archive_path))) != links:
                seen.notes.append(f"{finished[-1].period} stands closed; the next close writes it into {CHAIN}")
                links = finished
        except FileNotFoundError:
            if seen.periods:
                seen.findings.append(Finding("", CHAIN, "is missing beside closed periods"))
        except (OSError, ValueError) as error:
            seen.findings.append(Finding("", CHAIN, str(error)))
    by_period = {link.period: link for link in links}
    manifests: dict[str, tuple[str, dict[str, Any]]] = {}
    for period in seen.periods:
        found = verify_folder(archive_path / period, period, by_period.get(period), seen)
        if found is not None:
            manifests[period] = found
    if is_chain_known:
        verify_members(seen, links)
    seen.findings += _verify_order(manifests)
    for period, sha256 in sorted((registered or {}).items()):
        if period not in seen.periods:
            missing = Finding(period, "", "is missing: the warehouse has it registered as closed")
            if not any(finding.period == period and finding.file == "" for finding in seen.findings):
                seen.findings.append(missing)
        elif period in manifests and manifests[period][0] != sha256:
            seen.findings.append(
                Finding(period, MANIFEST, f"is another one than the warehouse has registered ({sha256})")
            )
    seen.last_manifest_sha256 = links[-1].manifest_sha256 if links else None
    return seen


def verify_members(seen: Verification, links: Sequence[Link]) -> None:
    """The folders that stand there are those the chain names."""
    named = {link.period for link in links}
    for name in seen.periods:
        if name not in named:
            seen.findings.append(Finding(name, "", f"was added: {CHAIN} does not name it"))
    for link in links:
        if link.period not in seen.periods:
            seen.findings.append(
                Finding(link.period, "", f"is missing: number {link.sequence} of the chain in {CHAIN}")
            )


def verify_folder(
    folder: Path, period: str, link: Link | None, seen: Verification
) -> tuple[str, dict[str, Any]] | None:
    """Hold one folder against its manifest; (sha256, manifest) where that can be read."""

    def find(file: str, what: str) -> None:
        seen.findings.append(Finding(period, file, what))

    present = {path.relative_to(folder).as_posix(): path for path in _entries(folder)}
    for name, path in present.items():
        if path.is_symlink():
            find(name, "is a link, where a close writes a file")
    try:
        content = present.pop(MANIFEST).read_bytes()
    except KeyError:
        find(MANIFEST, "is missing")
        content = None
    except OSError as error:
        find(MANIFEST, f"cannot be read ({error.strerror})")
        content = None
    seal = present.pop(SEAL, None)
    if seal is None:
        find(SEAL, "is missing")
    if content is None:
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    seen.file_count += 1
    seen.byte_count += len(content)
    if seal is not None and (not seal.is_file() or seal.read_bytes() != seal_text(sha256).encode()):
        # either of the two was changed: the chain, or the manifest's own form, says which
        find(SEAL, f"does not hold the sha256 of {MANIFEST} ({sha256})")
    if link is not None and link.manifest_sha256 != sha256:
        find(MANIFEST, f"has changed: {CHAIN} has sha256 {link.manifest_sha256}, it has {sha256}")
    try:
        manifest = json.loads(content)
        files = {str(entry["name"]): (int(entry["bytes"]), str(entry["sha256"])) for entry in manifest["files"]}
        named = (str(manifest["period"]), int(manifest["sequence"]), manifest["previous_manifest_sha256"])
    except (ValueError, KeyError, TypeError) as error:
        find(MANIFEST, f"has changed: it cannot be read ({type(error).__name__})")
        return None
    if content != canonical(manifest):
        find(MANIFEST, "has changed: it is not in the form a close writes it")
    if named[0] != period:
        find(MANIFEST, f"is the manifest of {named[0]}")
    for name, (size, digest) in sorted(files.items()):
        path = present.pop(name, None)
        if path is None or not path.is_file() or path.is_symlink():
            find(name, "is missing" if path is None else "is no file any more")
            continue
        seen.file_count += 1
        seen.byte_count += path.stat().st_size
        try:
            if path.stat().st_size != size:
                find(name, f"has changed: {path.stat().st_size:,} bytes, {size:,} were closed")
            elif (found := sha256_of(path)) != digest:
                find(name, f"has changed: sha256 {found}, closed with {digest}")
        except OSError as error:
            find(name, f"cannot be read ({error.strerror})")
    for name in sorted(present):
        find(name, "was added: the manifest does not name it")
    return sha256, manifest


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder but the folders that hold something."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            below = list(_entries(path))
            yield from below or [path]
        else:
            yield path


def _verify_order(manifests: Mapping[str, tuple[str, dict[str, Any]]]) -> Iterator[Finding]:
    """Each manifest names the one before it, in the order of their numbers and of the calendar."""
    ordered = sorted(manifests.items(), key=lambda item: (int(item[1][1]["sequence"]), item[0]))
    expected = 1
    previous_period, previous_sha256 = "", None
    for period, (sha256, manifest) in ordered:
        sequence = int(manifest["sequence"])
        if sequence != expected:
            yield Finding(period, MANIFEST, f"is number {sequence} of the chain where {expected} was to come")
        elif manifest["previous_manifest_sha256"] != previous_sha256:
            yield Finding(
                period,
                MANIFEST,
                f"breaks the chain: it names {manifest['previous_manifest_sha256'] or 'nothing'} as the one before it, "
                f"which is {previous_sha256 or 'nothing'}{f' ({previous_period})' if previous_period else ''}",
            )
        if previous_period and period < previous_period:
            yield Finding(period, MANIFEST, f"comes after {previous_period} in the chain: the order is not theirs")
        expected, previous_period, previous_sha256 = sequence + 1, period, sha256
