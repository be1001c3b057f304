"""Building and publishing: assets, image, monitoring, the map, screenshots."""
