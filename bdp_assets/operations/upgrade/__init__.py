"""From the state that an older version left to what this one needs: `bdp upgrade`, docs/upgrade.md."""
