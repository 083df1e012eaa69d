"""What an approval diagram must carry beyond sound BPMN: legal basis, unit, limits within the statute."""
