"""What the product says, held against lists that this project did not write."""
