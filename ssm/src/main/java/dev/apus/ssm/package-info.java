/** State-space models from S4 to Mamba-3, and the short convolutions that go with them. */
package dev.apus.ssm;
