/** The small trained models that Apus ships. */
package dev.apus.fable;
