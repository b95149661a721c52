"""The shell: clocks, executors, sessions and front ends; everything that touches the world."""
