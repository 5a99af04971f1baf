"""What each field of each type answers, one file per family of types. Reads the forge's records, changes nothing."""
