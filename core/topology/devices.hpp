// Joins what sources saw: OS devices and PCI functions become GPUs, NICs and disks; matrices and
// the PCI tree become links. Run after every source has added what it knows.
#pragma once

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Fills `gpus`, `nics`, `disks`, `nvswitches` from the tree where they are not there yet, by PCI
/// address (or by name where there is none): nvml0, cuda0, opencl0d0 and rsmi0 of one address are
/// one GPU. Keeps what a driver already said.
void join_devices(Topology& topology);

/// Fills `links`: gpu-gpu, gpu-nic and gpu-numa, from the distance matrices, what drivers said
/// (links already there stay), the PCI tree (section 4 of the reference: PIX, PXB, PHB, NODE, SYS)
/// and the bandwidth tables. NVSwitch-attached GPUs of a host form one fabric ("trunk inferred").
void derive_links(Topology& topology);

/// The level between two PCI functions by the tree alone, NVLink left aside.
Level pcie_level(const Topology& topology, const PciAddress& a, const PciAddress& b);

/// Both, in order.
void finish(Topology& topology);

}  // namespace aictl::topology
