/** What other modules add to this one. */
package dev.apus.core.service;
