"""The fused engine on a CPU: compiled loops over delta states."""
