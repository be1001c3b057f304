"""What people and time do to tasks, under the lock of the vehicle's row."""
