"""The workspace folder: paths, atomic writes, locks, jobs, the queue and collections."""
