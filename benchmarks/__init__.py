"""Scripts that measure what README claims."""
