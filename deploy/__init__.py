"""What builds and shows the project: assets, image, screenshots."""
