"""`bdp chaos`: a platform of its own, live traffic, and everything killed that can be; then `bdp verify`."""
