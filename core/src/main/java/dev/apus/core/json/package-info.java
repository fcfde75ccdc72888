/**
 * Reading JSON that nobody has checked: strict, within limits, and with a line for every complaint.
 */
package dev.apus.core.json;
