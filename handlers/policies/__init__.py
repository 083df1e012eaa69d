"""依据文件: the policy documents that processes implement (R001)."""
