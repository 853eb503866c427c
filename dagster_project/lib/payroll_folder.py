"""The folder of payroll exports: each written once, chained by hash, verified byte by byte.

    <folder>/chain.json                        the exports in the order written, each with its manifest's sha256
    <folder>/2025-04/IE/1/payroll.csv          what payroll pays, one line per person, currency and kind of earning
    <folder>/2025-04/IE/1/journal.csv          what the general ledger posts, voucher by voucher
    <folder>/2025-04/IE/1/ledger_lines.csv     which line of the payout ledger each payroll line pays
    <folder>/2025-04/IE/1/manifest.json        control totals, approvals, and rows, bytes and sha256 of each file
    <folder>/2025-04/IE/1/manifest.sha256      the manifest's own sha256, as `sha256sum -c` reads it

An export is written into a temporary folder beside its place, synced to disk, and put there by one rename: killed at
any moment it stands whole or not at all. chain.json follows the rename; an export that stands there and is not yet in
it is taken up by the next one. The files are made as those of the archive of closed periods (see archive).

Nothing here knows what an export consists of (see payroll_export), nor Dagster.

Delivers: OPS-7.2
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.lib.archive import (
    CHAIN,
    CHAIN_HALF_WRITTEN,
    MANIFEST,
    ArchiveError,
    Content,
    Finding,
    Link,
    Verification,
    archive_lock_path,
    checked_file,
    clear_leftovers,
    links_of,
    read_manifest,
    seal_folder,
    sync,
    verify_folder,
    verify_members,
    with_unfinished,
    write_chain,
)
from dagster_project.lib.run_lock import hold

EXPORT = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))/([A-Z]{2})/([1-9]\d*)")
HALF_WRITTEN = ".exporting-"
MEND = "restore the folder of payroll exports from its backup and run `sltw verify-payroll-export`"

__all__ = ["ArchiveError", "checked_file", "read_chain", "read_manifest", "verify", "write_export"]


def parts_of(name: str) -> tuple[str, str, int]:
    """Payment month, country and number of an export named 2025-04/IE/1. Raises ArchiveError for another name."""
    found = EXPORT.fullmatch(name)
    if found is None:
        raise ArchiveError(f"{name!r} is no payroll export: one is named <month>/<country>/<number>, as 2025-04/IE/1")
    return found[1], found[2], int(found[3])


def read_chain(folder: Path) -> list[Link]:
    """The exports written so far, in order. Raises ArchiveError where chain.json is not what an export writes."""
    path = folder / CHAIN
    if not path.exists():
        if _export_names(folder):
            raise ArchiveError(f"{path} is missing beside payroll exports: {MEND}")
        return []
    try:
        links = links_of(path.read_bytes())
    except ValueError as error:
        raise ArchiveError(f"{path} {error}: {MEND}") from error
    return with_unfinished(folder, links, _export_names(folder))


def write_export(
    folder: Path,
    payment_period: str,
    country_code: str,
    fill: Callable[[Path, int, Sequence[Link]], Content],
) -> Link:
    """Write the next export of a month and country: `fill` writes its files; then it is chained and put in its place.

    fill is given the folder to write into, the number of the export, and the exports before it. Clears what killed
    exports left behind. Raises ArchiveError where the chain before it is damaged, and whatever `fill` raises; then no
    export is there that was not before.
    """
    parts_of(f"{payment_period}/{country_code}/1")
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    with hold(archive_lock_path(folder), {"what": f"the payroll export of {payment_period} {country_code}"}):
        clear_leftovers(folder, HALF_WRITTEN)
        if not (folder / CHAIN).exists() and not _export_names(folder):
            write_chain(folder, [])
        links = read_chain(folder)
        if len(links) != len(links_of((folder / CHAIN).read_bytes())):
            write_chain(folder, links)
        if links:
            read_manifest(folder, links[-1])
        number = 1 + sum(link.period.startswith(f"{payment_period}/{country_code}/") for link in links)
        name = f"{payment_period}/{country_code}/{number}"
        if (folder / name).exists():
            raise ArchiveError(f"{folder / name} is there and not part of the chain: {MEND}")
        building = folder / f"{HALF_WRITTEN}{secrets.token_hex(8)}"
        building.mkdir(mode=0o700)
        try:
            content = fill(building, number, links)
            about = {**content.about, "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            link = seal_folder(building, name, Content(content.tables, about), links)
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            sync(place.parent.parent)
            building.rename(place)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync(place.parent)
        sync(folder)
        write_chain(folder, [*links, link])
        return link


def verify(folder: Path, registered: Mapping[str, str] | None = None) -> Verification:
    """Hold every byte of the folder against what was exported.

    registered: export -> manifest sha256 as the warehouse has it, so that even a folder that was rewritten as a whole,
    or is gone, is found out.
    """
    seen = Verification()
    links: list[Link] = []
    is_chain_known = False
    if folder.is_dir():
        _look_for_strays(folder, seen)
        seen.periods = _export_names(folder)
        try:
            links, is_chain_known = links_of((folder / CHAIN).read_bytes()), True
            if (finished := with_unfinished(folder, links, _export_names(folder))) != links:
                seen.notes.append(f"{finished[-1].period} stands exported; the next export writes it into {CHAIN}")
                links = finished
        except FileNotFoundError:
            if seen.periods:
                seen.findings.append(Finding("", CHAIN, "is missing beside payroll exports"))
        except (OSError, ValueError) as error:
            seen.findings.append(Finding("", CHAIN, str(error)))
    by_name = {link.period: link for link in links}
    manifests: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in seen.periods:
        found = verify_folder(folder / name, name, by_name.get(name), seen)
        if found is not None:
            manifests[name] = found
    if is_chain_known:
        verify_members(seen, links)
    previous = None
    for link in links:
        if link.period in manifests:
            manifest = manifests[link.period][1]
            if (manifest["sequence"], manifest["previous_manifest_sha256"]) != (link.sequence, previous):
                seen.findings.append(Finding(link.period, MANIFEST, "breaks the chain: it names another before it"))
        previous = link.manifest_sha256
    for name, sha256 in sorted((registered or {}).items()):
        if name not in seen.periods and name not in by_name:
            seen.findings.append(Finding(name, "", "is missing: the warehouse has it registered as exported"))
        elif name in manifests and manifests[name][0] != sha256:
            seen.findings.append(
                Finding(name, MANIFEST, f"is another one than the warehouse has registered ({sha256})")
            )
    seen.last_manifest_sha256 = links[-1].manifest_sha256 if links else None
    return seen


def _look_for_strays(folder: Path, seen: Verification) -> None:
    """Whatever stands in the folder beside exports is a finding; what a killed export leaves is worth a word."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(HALF_WRITTEN) or path.name == CHAIN_HALF_WRITTEN:
            seen.notes.append(f"{path.name} is left of an export that was cut off; the next export clears it")
        elif path.is_symlink() or not (path.is_dir() or path.name == CHAIN):
            seen.findings.append(Finding("", path.name, "was added: no export writes it"))
        elif path.is_dir():
            for below in sorted(path.rglob("*")):
                name = below.relative_to(folder).as_posix()
                depth = name.count("/")
                is_place = below.is_dir() and not below.is_symlink()
                export = {1: f"{name}/1", 2: name}.get(depth)
                if export is not None and not (is_place and EXPORT.fullmatch(export)):
                    seen.findings.append(Finding("", name, "was added: no export writes it"))


def _export_names(folder: Path) -> list[str]:
    """Exports that stand in the folder, by month, country and number."""
    if not folder.is_dir():
        return []
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*/*/*") if path.is_dir()]
    return sorted((name for name in names if EXPORT.fullmatch(name)), key=parts_of)
