package backend

// dictionary2 is the text that encoding '2' refers to: dictionary1, and what
// usher adds to users and groups (domain.md §5.2 … §5.5) with how it keeps what
// it decided; what stands in nearly every user comes last. The same holds: never
// change a byte of it.
const dictionary2 = `"temporaryExtension":true,"callingStatus":"assigned"` + `"temporaryExtension":false,"callingStatus":"pending"` + `"callingStatus":"error"` + `"callingStatus":"none"` +
	`"urn:ietf:params:scim:schemas:extension:UsherCalling:2.0:User":{"location":"` + `","phoneNumber":"+33` + `","extension":"` +
	`,"effectiveLocation":"` + `","effectivePhoneNumber":"+33` + `","effectiveExtension":"` +
	`"suppressActivationEmail":true` + `"code":"package_not_subscribed","attribute":"` + `"code":"number_or_extension_required","attribute":"` + `"code":"location_required","attribute":"location"` +
	`"code":"licence_prerequisite","attribute":"licenses","detail":"` + `"code":"licence_conflict","attribute":"licenses","detail":"` +
	`"code":"number_unknown","attribute":"phoneNumber","detail":"` + `"code":"location_unknown","attribute":"location","detail":"` + `"code":"email_invalid","attribute":"emails","detail":"The e-mail address cannot be used; correct it.` +
	`"issues":[{"code":"no_seats_available","attribute":"licenses","detail":"` + `.","since":"2026-1` + `"}]}` +
	`"issues":[{"code":"missing_email","attribute":"emails","detail":"The user has no e-mail address, so that no mail can be sent; add one.","since":"2026-` +
	`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:Group"],"id":"` +
	`"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:Group":{"licenses":["` + `"],"templateId":"` + `"status":"error","issue":"no_seats_available","since":"202` +
	`{"state":"inactive","source":"API","origin":"explicit","licences":[{"k":"` + `","a":"error","q":17` + `,"s":17` + `,"f":[{"t":"scim","s":17` + `}],"i":"no_seats_available"}],"tier":"basic"` +
	`{"state":"not_verified","licences":[{"k":"calling","a":"assigned","b":"` + `","q":17` + `,"s":17` + `,"f":[{"t":"group","r":"` + `","s":17` + `}]}],"tier":"licensed","package":{"k":"` + `","f":"2026-1` + `"calling":{"l":"` +
	`"issues":[{"c":"missing_email","a":"emails","d":"The user has no e-mail address, so that no mail can be sent; add one.","s":17` + `"issues":[{"c":"no_seats_available","a":"licenses","d":"` +
	dictionary1 +
	`"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User":{"licenses":["` + `"],"package":"` + `","licensingOrigin":"explicit","tier":"licensed",` +
	`"effective":[{"value":"basic","display":"Basic","source":"org_template","sourceRef":"` + `"effective":[{"value":"calling","display":"Calling","source":"scim","status":"assigned","since":"2026-1` +
	`"},{"value":"meetings","display":"Meetings","source":"group","sourceRef":"01k` + `","status":"assigned","since":"2026-1` + `"}]},` +
	`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",` +
	`"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User","urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User",` +
	`"urn:ietf:params:scim:schemas:extension:UsherOrganization:2.0:User"],"id":"01k` +
	`,"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User":{"licensingOrigin":"automatic","tier":"unlicensed"},` +
	`"urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User":{"state":"not_verified","emailVerified":false,"invitePending":true},` +
	`"urn:ietf:params:scim:schemas:extension:UsherOrganization:2.0:User":{"provisionSource":"SCIM"}}{"state":"not_verified"}`
