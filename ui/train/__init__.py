"""The Train page: choose photos and a recipe, start a training, and watch it."""
