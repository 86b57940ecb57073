"""The page that names sneakers on a phone by itself: its texts, its runtime, and its build."""
