"""Planning: try a recipe for seconds before training for hours (time estimate, learning rate, augmentation)."""
