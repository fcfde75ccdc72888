/** The {@code apus} command. */
package dev.apus.cli;
