"""The demonstration company: generator, source system server and pay desk.

Used by the demo, the tests and the benchmarks alike. The pipeline never imports it: it speaks to the server
by HTTP and reads the dropped files, as it would with the real systems.
"""
