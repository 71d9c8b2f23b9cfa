"""`bdp load`: transactions on a schedule that waits for nobody, and a verdict by the objectives."""
