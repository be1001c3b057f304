"""Signs of danger in what a car reports, read so that the worse of two counts. Pure."""
