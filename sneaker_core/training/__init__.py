"""From a folder of photos to a model that knows them."""
