"""A user's own ``torch.nn.Module``: its parameters against declared laws, and its first step.

PyTorch is imported in the functions that need it, and nowhere else.
"""
