"""Everything a workspace folder is: paths, atomic writes, locks, jobs, the queue and collections."""
