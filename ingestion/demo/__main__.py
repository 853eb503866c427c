"""Serve or describe the demonstration company.

python -m ingestion.demo serve [--port 0] [--tickets 25000] [--as-of 2026-01-05T00:00:00Z] [--drops FOLDER]
python -m ingestion.demo describe [--json]
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import threading
from datetime import UTC, datetime

from ingestion.demo.company import DEFAULT_AS_OF, DEFAULT_SEED, DEFAULT_TICKET_COUNT, build_company
from ingestion.demo.model import Company
from ingestion.demo.server import DemoServer
from ingestion.demo.vendor_reports import vendor_reports


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an instant; write one such as 2026-01-05T00:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _describe(company: Company, as_json: bool) -> None:
    if as_json:
        facts = [
            {"code": fact.code, "description": fact.description, "detail": fact.detail} for fact in company.planted
        ]
        print(json.dumps(facts, indent=2))
        return
    print(
        f"{company.start_on} to {company.as_of_at:%Y-%m-%d %H:%M} UTC, seed {company.seed}: "
        f"{len(company.tickets)} tickets, {sum(len(ticket.events) for ticket in company.tickets)} events, "
        f"{len(company.changes)} changes, "
        f"{len(company.employees)} people ({sum(person.is_agent for person in company.employees)} agents), "
        f"{len(company.monitors)} monitors, {len(company.transitions)} state changes, "
        f"{len(company.downtimes)} downtimes"
    )
    for fact in company.planted:
        print(f"\n{fact.code}\n  {fact.description}")
        for name, value in fact.detail.items():
            if isinstance(value, dict):
                print(f"  {name}:")
                for key, entry in value.items():
                    print(f"    {key}: {json.dumps(entry)}")
            else:
                print(f"  {name}: {json.dumps(value)}")


def _serve(company: Company, port: int, drops: str | None) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with DemoServer(company, port=port, drops_path=drops) as server:
        for name, value in server.environment().items():
            print(f"export {name}={shlex.quote(value)}")
        print(f"# serving {len(company.tickets)} tickets on {server.url} until interrupted", flush=True)
        stopped.wait()


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("serve", "answer as the source systems do"), ("describe", "list what was planted")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--seed", type=int, default=DEFAULT_SEED)
        command.add_argument("--as-of", type=_instant, default=DEFAULT_AS_OF)
        command.add_argument("--tickets", type=int, default=DEFAULT_TICKET_COUNT)
        if name == "serve":
            command.add_argument("--port", type=int, default=0)
            command.add_argument("--drops", help="folder for the payroll and ledger files (default: temporary)")
        else:
            command.add_argument("--json", action="store_true", help="as JSON")
            command.add_argument("--without-pay", action="store_true", help="leave out what the pay desk plants")
    options = parser.parse_args(arguments)
    try:
        company = build_company(options.seed, options.as_of, options.tickets)
    except ValueError as error:
        parser.error(str(error))
    if options.command == "serve":
        _serve(company, options.port, options.drops)
        return 0
    if not options.without_pay:
        from ingestion.demo.pay_desk import run_pay_desk

        run_pay_desk(company)  # plants its own facts
    company.planted += vendor_reports(company).facts
    _describe(company, options.json)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # `describe | head` ends quietly, the flush at exit included.
        sys.stderr.close()
        sys.exit(0)
