"""跑动次数: how often an applicant had to come to the window for a case, and why (R006)."""
