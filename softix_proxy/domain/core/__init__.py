"""The basic types that every other package uses: errors, time, money and ids."""
