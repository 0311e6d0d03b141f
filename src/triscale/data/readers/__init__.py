"""A reader for each form in which people keep a data set: folders, arrays, shards, data sets by name."""
