"""The orchestrator's part: it wraps the plain functions of ingestion/, expectations/ and dbt_project/.

What belongs here: assets, checks, jobs, schedules, the run lock, publication and the console command. What does
not: how a source is paged, how a clock runs, what an expectation means.
"""
