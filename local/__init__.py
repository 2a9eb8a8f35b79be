"""The development host: runs function_app, unchanged, on one machine without Azure tools.

It answers HTTP, listens to queues and keeps timers the way the Functions host does, as far as docs of the platform
say; it is for a desk and for tests, not for production. Start reading in `host.py`; `python -m local` runs it.

    indexing    function_app -> the functions it declares          routes     Azure's route templates
    host_json   the numbers of host.json                           keys       who may call what
    http        HTTP triggers        queues    queue triggers      timers     timer triggers (ncrontab, timer_states)
    admin       fire a function by hand                            handlers   threads and event loop
"""
