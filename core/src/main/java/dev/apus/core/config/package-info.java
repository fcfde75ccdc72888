/** Strict reading of JSON settings. */
package dev.apus.core.config;
