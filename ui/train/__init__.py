"""The Train page: photos and a recipe chosen, a training started, watched, stopped and gone on with."""
