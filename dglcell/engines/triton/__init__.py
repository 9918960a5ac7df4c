"""The fused engine on CUDA: Triton kernels over delta states."""
