"""Changes of tasks by people and by time, under the vehicle's row lock."""
